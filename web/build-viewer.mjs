// Builds the self-contained viewers, of a photograph's result and of a clip's: a page with its script
// and style inside, and marks where the data of a result go. `--check` compares with the files that
// are there instead of writing them.
import { readFile, writeFile } from "node:fs/promises";
import { build } from "vite";

const SOURCE = "src/standalone";
const PAGES = [
  {
    script: "main.ts",
    page: "page.html",
    styles: ["src/standalone/style.css"],
    target: "../src/vitruvian/result/viewer/viewer.html",
  },
  {
    script: "motion.ts",
    page: "motion.html",
    styles: ["src/standalone/style.css", "src/viewer/motion/motion.css", "src/standalone/motion-style.css"],
    target: "../src/vitruvian/video/viewer/viewer.html",
  },
];

async function assembled({ script, page, styles }) {
  const result = await build({
    configFile: false,
    logLevel: "warn",
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      chunkSizeWarningLimit: 900,
      rolldownOptions: {
        input: `${SOURCE}/${script}`,
        output: { format: "iife", comments: { legal: true, annotation: false, jsdoc: false } },
      },
    },
  });
  const [code] = result.output.map((chunk) => chunk.code);
  const style = await Promise.all(styles.map((path) => readFile(path, "utf8")));
  return (await readFile(`${SOURCE}/${page}`, "utf8"))
    .replace("/* style */", () => style.map((text) => text.trim()).join("\n"))
    // "</script" inside the script would end it.
    .replace("/* script */", () => code.trim().replaceAll("</script", "<\\/script"));
}

for (const description of PAGES) {
  const { target } = description;
  const page = await assembled(description);
  if (!process.argv.includes("--check")) {
    await writeFile(target, page);
  } else if (page !== (await readFile(target, "utf8"))) {
    console.error(`${target} is not what its source makes: run npm run viewer`);
    process.exit(1);
  }
  console.log(`${target}: ${(page.length / 1000).toFixed(0)} kB`);
}
