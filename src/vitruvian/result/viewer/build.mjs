// Builds viewer.html: the page with its script and style inside, and marks where the data go.
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";

const result = await build({
  entryPoints: ["src/main.ts"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "inline",
  write: false,
});
// "</script" inside the script would end it.
const script = result.outputFiles[0].text.trim().replaceAll("</script", "<\\/script");
const style = (await readFile("src/style.css", "utf8")).trim();
const page = (await readFile("src/page.html", "utf8"))
  .replace("/* style */", () => style)
  .replace("/* script */", () => script);
await writeFile("viewer.html", page);
console.log(`viewer.html: ${(page.length / 1000).toFixed(0)} kB`);
