import {
  type BrotliCompress,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  type Deflate,
  type Gzip,
} from 'node:zlib';

import {
  compressibleTypes,
  compressionAlgorithms,
} from '../../../proto/policies/transformation/compression.ts';
import type { HeaderList, TransformMaker } from '../../http/exchange.ts';
import { type AnsweredCall, CONTINUE, type PassingBody, type PolicyFactory } from '../policy.ts';
import { sayReplaced } from './replaced.ts';
import { weightOf } from './accepted-codings.ts';

/** Answers that are being compressed in a process: each takes up to half a megabyte, for as long as its client reads. */
const compressingMax = 128;
let compressing = 0;

type Algorithm = (typeof compressionAlgorithms)[number];
type Compressor = Gzip | Deflate | BrotliCompress;

/** Compresses answers while they pass. */
export const compression: PolicyFactory<'compression'> = ({ algorithms, level, bytesMin, mediaTypes }) => {
  const known = algorithms.length === 0 ? compressionAlgorithms : algorithms;
  const types = (mediaTypes.length === 0 ? compressibleTypes : mediaTypes).map((type) => {
    const [start = '', end] = type.split('*');
    return (given: string): boolean =>
      end === undefined
        ? given === start
        : given.length >= start.length + end.length && given.startsWith(start) && given.endsWith(end);
  });
  return {
    response: {
      needs: 'stream',
      run(call, _slot, passing) {
        const { headers } = call.response;
        if (!isForCompression(call) || !isOfType(headers, types)) return CONTINUE;
        const length = lengthOf(call, passing);
        if (length === 0 || length < bytesMin) return CONTINUE;
        sayVary(headers);
        const algorithm = chosen(call.request.headers.getAll('accept-encoding').join(','), known);
        if (algorithm === undefined || compressing >= compressingMax) return CONTINUE;
        headers.set('Content-Encoding', algorithm);
        sayReplaced(call.response);
        passing.through(compressed(algorithm, level));
        return CONTINUE;
      },
    },
  };
};

/** Bytes of its body, of that which GET would bring too; Infinity where nobody knows. */
function lengthOf({ request, response: { headers } }: AnsweredCall, passing: PassingBody): number {
  if (request.method === 'HEAD') return Number(headers.get('content-length') ?? Infinity);
  return passing.isEmpty ? 0 : (passing.length ?? Infinity);
}

function isForCompression({ request, response: { status, headers } }: AnsweredCall): boolean {
  if (status === 204 || status === 206 || status === 304) return false;
  if (headers.has('content-range')) return false;
  const coding = headers.get('content-encoding');
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') return false;
  return ![headers, request.headers].some((each) =>
    each.getAll('cache-control').some((line) => /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(line)),
  );
}

function isOfType(headers: HeaderList, types: readonly ((given: string) => boolean)[]): boolean {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return type !== undefined && types.some((isOne) => isOne(type));
}

function sayVary(headers: HeaderList): void {
  const named = headers
    .getAll('vary')
    .join(',')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  if (!named.includes('*') && !named.includes('accept-encoding')) headers.append('Vary', 'Accept-Encoding');
}

/** The one that the client likes best; of equals the first. */
function chosen(accepted: string, algorithms: readonly Algorithm[]): Algorithm | undefined {
  const liked = algorithms
    .map((algorithm) => ({ algorithm, weight: weightOf(accepted, algorithm) }))
    .filter(({ weight }) => weight > 0);
  return liked.toSorted((one, other) => other.weight - one.weight)[0]?.algorithm;
}

function compressorOf(algorithm: Algorithm, level: number): Compressor {
  if (algorithm === 'gzip') return createGzip({ level });
  if (algorithm === 'deflate') return createDeflate({ level });
  return createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      // Of the memory that it takes; longer windows are of no use to most bodies.
      [constants.BROTLI_PARAM_LGWIN]: 18,
    },
  });
}

/** What came is given out when nothing more has come by the next turn, so that a stream of events is not held back. */
const compressed =
  (algorithm: Algorithm, level: number): TransformMaker =>
  (to, from) => {
    const compressor = compressorOf(algorithm, level);
    let trailers: HeaderList | undefined;
    let isFull = false;
    let hasUnsaid = false;
    let isAtWork = true;
    compressing += 1;

    const leave = (): void => {
      if (isAtWork) compressing -= 1;
      isAtWork = false;
    };
    compressor.on('data', (piece: Buffer) => {
      to.onPiece(piece, 0, piece.length, true);
      if (!to.onReadEnd()) compressor.pause();
    });
    compressor.on('drain', () => {
      isFull = false;
      from.resume();
    });
    compressor.on('end', () => {
      leave();
      to.onEnd(trailers);
    });
    compressor.on('error', (error) => {
      leave();
      to.onBroken(error);
    });
    return {
      onPiece(bytes, start, end) {
        hasUnsaid = true;
        isFull = !compressor.write(Buffer.from(bytes.subarray(start, end)));
      },
      onReadEnd() {
        setImmediate(() => {
          if (!hasUnsaid || !isAtWork || compressor.writableEnded) return;
          hasUnsaid = false;
          compressor.flush();
        });
        return !isFull;
      },
      onEnd(given) {
        trailers = given;
        compressor.end();
      },
      resume: () => void compressor.resume(),
      onCut() {
        leave();
        compressor.destroy();
      },
    };
  };
