import { brotliCompressSync, gzipSync } from 'node:zlib';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Text that is worth packing; fonts are packed already. */
const packed = /\.(js|css|svg)$/;

/** Writes `.br` and `.gz` beside what a browser asks for, so that no request is ever packed anew. */
function packOnce(): Plugin {
  return {
    name: 'pack-once',
    writeBundle({ dir = '' }, bundle) {
      for (const name of Object.keys(bundle).filter((each) => packed.test(each))) {
        const bytes = readFileSync(join(dir, name));
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(bytes));
        writeFileSync(join(dir, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  readonly version: string;
};

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  plugins: [react(), packOnce()],
  define: { 'import.meta.env.VITE_ISTHMUS_VERSION': JSON.stringify(version) },
  // A preload script inside the page would need its own word in the content security policy.
  build: { outDir: 'dist', emptyOutDir: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
