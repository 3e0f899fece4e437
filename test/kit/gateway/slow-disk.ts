import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

// Preloaded (`NODE_OPTIONS=--import=...`) into a process and its threads: a disk that takes its time to force anything down. Nobody
// else's call is touched, and nothing but the wait is added.
const syncMs = Number(process.env['SLOW_DISK_SYNC_MS'] ?? 15);
const cell = new Int32Array(new SharedArrayBuffer(4));
const { fsyncSync, fdatasyncSync, fdatasync } = fs;

fs.fsyncSync = (file) => {
  Atomics.wait(cell, 0, 0, syncMs);
  fsyncSync(file);
};
fs.fdatasyncSync = (file) => {
  Atomics.wait(cell, 0, 0, syncMs);
  fdatasyncSync(file);
};
const slowly = (file: number, callback: fs.NoParamCallback): void =>
  void setTimeout(() => fdatasync(file, callback), syncMs);
fs.fdatasync = Object.assign(slowly, { __promisify__: fdatasync.__promisify__ });
syncBuiltinESMExports();
