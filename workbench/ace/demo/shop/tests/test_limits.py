import unittest

from shop.limits import Unlimited


class Limits(unittest.TestCase):
    def test_unlimited_lets_all_through(self):
        limiter = Unlimited()
        self.assertTrue(all(limiter.allow("key", float(second)) for second in range(1000)))
