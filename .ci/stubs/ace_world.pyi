from tests.ace.ace_world import *
