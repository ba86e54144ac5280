import unittest

from shop.amounts import parse_amount


class ParseAmount(unittest.TestCase):
    def test_plain(self):
        self.assertEqual(parse_amount("12.50"), 12.5)

    def test_thousands(self):
        self.assertEqual(parse_amount(" 1,200 "), 1200.0)

    def test_words_are_refused(self):
        with self.assertRaises(ValueError):
            parse_amount("twelve")
