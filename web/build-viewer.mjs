// Builds the self-contained viewer: the page with its script and style inside, and marks where the
// data of a result go. `--check` compares with the file that is there instead of writing it.
import { readFile, writeFile } from "node:fs/promises";
import { build } from "vite";

const SOURCE = "src/standalone";
const TARGET = "../src/vitruvian/result/viewer/viewer.html";

const result = await build({
  configFile: false,
  logLevel: "warn",
  build: {
    write: false,
    target: "es2022",
    modulePreload: false,
    rolldownOptions: {
      input: `${SOURCE}/main.ts`,
      output: { format: "iife", comments: { legal: true, annotation: false, jsdoc: false } },
    },
  },
});
const [script] = result.output.map((chunk) => chunk.code);
const style = (await readFile(`${SOURCE}/style.css`, "utf8")).trim();
const page = (await readFile(`${SOURCE}/page.html`, "utf8"))
  .replace("/* style */", () => style)
  // "</script" inside the script would end it.
  .replace("/* script */", () => script.trim().replaceAll("</script", "<\\/script"));
if (!process.argv.includes("--check")) {
  await writeFile(TARGET, page);
} else if (page !== (await readFile(TARGET, "utf8"))) {
  console.error("viewer.html is not what its source makes: run npm run viewer");
  process.exit(1);
}
console.log(`viewer.html: ${(page.length / 1000).toFixed(0)} kB`);
