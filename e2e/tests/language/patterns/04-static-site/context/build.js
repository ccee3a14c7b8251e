const fs = require("fs");
fs.mkdirSync("public/posts", { recursive: true });
const posts = fs.readdirSync("posts").sort();
for (const post of posts) {
  fs.writeFileSync(`public/posts/${post}.html`, `<p>${fs.readFileSync(`posts/${post}`, "utf8").trim()}</p>\n`);
}
fs.writeFileSync("public/index.html", posts.map((post) => `<a href="posts/${post}.html">${post}</a>\n`).join(""));
