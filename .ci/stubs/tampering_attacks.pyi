from tests.evidence.tampering_attacks import *
