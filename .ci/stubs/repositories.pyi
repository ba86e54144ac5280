from tests.endtoend.repositories import *
