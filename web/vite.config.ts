import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// Where a server under development answers; `vitruvian serve` listens there by default.
const SERVER = process.env["VITRUVIAN_SERVER"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: "../src/vitruvian/server/page",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy allows files of our own, not data: scripts or styles.
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    license: { fileName: "licenses.md" },
    // three.js alone is larger than the default; the budget that counts is tested.
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: { "/api": SERVER, "/Upload": SERVER },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
