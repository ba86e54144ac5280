import unittest

from shop.retries import retry


class Retries(unittest.TestCase):
    def test_first_success_wins(self):
        self.assertEqual(retry(lambda: "ok"), "ok")

    def test_a_passing_fault_is_tried_again(self):
        faults = [OSError("reset")]

        def call() -> str:
            if faults:
                raise faults.pop()
            return "ok"

        self.assertEqual(retry(call), "ok")

    def test_gives_up_with_the_last_error(self):
        with self.assertRaisesRegex(OSError, "down"):
            retry(self._down)

    def test_never_tries_more_often_than_said(self):
        self.calls = 0
        with self.assertRaises(OSError):
            retry(self._down, attempts=5)
        self.assertLessEqual(self.calls, 6)

    calls = 0

    def _down(self) -> str:
        self.calls += 1
        raise OSError("down")
