import unittest

from units import convert


class Units(unittest.TestCase):
    def test_a_mile(self):
        self.assertAlmostEqual(convert(1, "mile", "km"), 1.609344)
