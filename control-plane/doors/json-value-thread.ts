/** Reads one large body of JSON: takes its bytes as its data, and posts what they are. */
import { parentPort, workerData } from 'node:worker_threads';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { readJson } from './json-value.ts';

closeBuiltIns();
parentPort?.postMessage(readJson(workerData as Uint8Array));
