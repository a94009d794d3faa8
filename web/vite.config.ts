import { defineConfig } from "vite";

// The server sends a Content-Security-Policy without 'unsafe-inline', so nothing may be inlined:
// no assets as data URLs in CSS, no preload polyfill script.
export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2021",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8790" } },
});
