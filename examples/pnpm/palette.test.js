const assert = require("node:assert");
const test = require("node:test");
const palette = require("./palette");

test("red is opposite to cyan", () => {
  assert.deepStrictEqual(palette("red"), ["#FF0000", "#00FFFF"]);
});
