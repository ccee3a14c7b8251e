console.log(require("greet")("node"));
