import { defineConfig, type Plugin } from "vite";

/** The page proper is imported by its first script; the browser is told of it with the first byte, not by then. */
const preloadPage: Plugin = {
  name: "preload-page",
  transformIndexHtml: {
    order: "post",
    handler: (_, { chunk }) => (chunk?.dynamicImports ?? []).map((file) => ({
      tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: "/" + file }, injectTo: "head",
    })),
  },
};

// The server sends a Content-Security-Policy without 'unsafe-inline', so nothing may be inlined:
// no assets as data URLs in CSS, no preload polyfill script.
export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  plugins: [preloadPage],
  build: {
    target: "es2021",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8790" } },
});
