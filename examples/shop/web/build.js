import { build } from 'esbuild';

await build({
  entryPoints: ['src/shop.css'],
  outdir: 'dist',
  bundle: true,
  minify: true,
});
