import unittest

from app import app


class HarbourTest(unittest.TestCase):
    def test_times_of_a_harbour(self):
        answer = app.test_client().get("/harbours/dover")
        self.assertEqual(answer.get_json()["high_water"], ["11:04", "23:31"])

    def test_unknown_harbour(self):
        self.assertEqual(app.test_client().get("/harbours/bern").status_code, 404)


if __name__ == "__main__":
    unittest.main()
