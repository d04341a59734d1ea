import { defineConfig } from "vitest/config";

// Built into the package, from where the monitor serves it; nothing is inlined, for the page's policy forbids it.
export default defineConfig({
  base: "/static/app/",
  build: {
    outDir: "../src/fks_master/api/static/app",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
