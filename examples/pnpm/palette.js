const convert = require("color-convert");

/** A colour in hexadecimal, and its opposite. */
function palette(name) {
  const [hue, saturation, lightness] = convert.keyword.hsl(name);
  return [[hue, saturation, lightness], [(hue + 180) % 360, saturation, lightness]].map(
    (colour) => `#${convert.hsl.hex(colour)}`,
  );
}

if (require.main === module) {
  console.log(palette(process.argv[2] ?? "teal").join(" "));
}

module.exports = palette;
