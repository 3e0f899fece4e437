import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Fault } from '../../proto/faults/fault.ts';
import { systemWords } from '../../proto/process/system-words.ts';
import { type ListenTlsSettings, readListenTls } from '../../proto/process/listening/tls-settings.ts';
import { createHandshakes } from '../../proto/process/listening/tls.ts';
import type { Finding } from './doctor.ts';

/** PEM files of one setting. */
export interface PemFiles {
  /** e.g. `listen.tls`. */
  readonly setting: string;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly caFile?: string | undefined;
  /** What a key store in `certFile` holds, PEM: its dates count. */
  readonly pem?: string | undefined;
}

/** A listener, and where the settings have it. */
export interface ExaminedListener {
  /** e.g. `listen`. */
  readonly setting: string;
  readonly tls?: ListenTlsSettings | undefined;
}

/** What is examined of listeners that have their certificates from {@link readListenTls}. */
export interface ListenerFiles {
  readonly listeners: readonly ExaminedListener[];
  /** Of a gateway: plans may judge clients, so that no authority is needed. */
  readonly judgesClients: boolean;
  /** Files of other settings. */
  readonly others: readonly PemFiles[];
}

const dayMs = 24 * 3_600_000;
/** A certificate that ends sooner is warned of: who renews by hand needs that long, who renews by a timer is past its time. */
const warnDays = 21;
const mebibyte = 1024 * 1024;

/**
 * Whether listeners would start with their certificates, and whether they and those of other settings hold still: what the doctor knows of
 * files comes first, since it says more; what it does not know is as the start reads it.
 */
export async function examineListenTls(
  { listeners, judgesClients, others }: ListenerFiles,
  nowMs: number,
): Promise<Finding> {
  const files = [...listeners.flatMap(filesOf), ...others];
  const finding = examineCertificates(files, nowMs);
  if (finding.status === 'failed') return finding;
  const stores: PemFiles[] = [];
  const made: string[] = [];
  for (const { setting, tls } of listeners) {
    const read = await readListenTls(tls, { nowMs });
    if (read === undefined || tls === undefined) continue;
    createHandshakes(read, { judgesClients });
    const { keyStoreFile: certFile } = tls;
    if (certFile !== undefined)
      stores.push({ setting: `${setting}.tls.keyStoreFile`, certFile, pem: read.certificates[0]?.cert });
    if (tls.selfSigned)
      made.push(`${setting}.tls: each start makes a certificate, which no client has a reason to trust`);
  }
  const whole = stores.length === 0 ? finding : examineCertificates([...stores, ...files], nowMs);
  if (made.length === 0 || whole.status !== 'ok') return whole;
  return { ...whole, found: [...made, ...(whole.found === noCertificates ? [] : [whole.found])].join('; ') };
}

function filesOf({ setting, tls }: ExaminedListener): readonly PemFiles[] {
  return [
    { setting: `${setting}.tls`, certFile: tls?.certFile, keyFile: tls?.keyFile },
    ...(tls?.certificates ?? []).map((pair, n) => ({
      setting: `${setting}.tls.certificates[${n}]`,
      ...pair,
    })),
    { setting: `${setting}.tls.caFile`, caFile: tls?.caFile },
  ];
}

const noCertificates = 'none in the settings';

/** Whether certificates hold still, and keys belong to them. */
function examineCertificates(all: readonly PemFiles[], nowMs: number): Finding {
  const given = all.filter(({ certFile, caFile }) => certFile !== undefined || caFile !== undefined);
  if (given.length === 0) return { status: 'ok', found: noCertificates };
  const findings = given.flatMap((files) => [
    ...(files.caFile === undefined ? [] : [ofFile({ setting: files.setting, file: files.caFile }, nowMs)]),
    ...(files.certFile === undefined ? [] : [ofPair(files, nowMs)]),
  ]);
  const worst =
    findings.find(({ status }) => status === 'failed') ??
    findings.find(({ status }) => status === 'warning') ??
    findings.toSorted((a, b) => a.untilMs - b.untilMs)[0];
  const { status = 'ok', found = '', remedy } = worst ?? {};
  return { status, found, remedy };
}

type Dated = Finding & { readonly untilMs: number };

interface OneFile {
  readonly setting: string;
  readonly file: string;
  /** What it holds, when it is no PEM itself. */
  readonly pem?: string | undefined;
}

function ofPair({ setting, certFile = '', keyFile, pem }: PemFiles, nowMs: number): Dated {
  const finding = ofFile({ setting, file: certFile, pem }, nowMs);
  if (keyFile === undefined || finding.status === 'failed') return finding;
  let isOwn: boolean;
  try {
    isOwn = new X509Certificate(readPem(certFile)).checkPrivateKey(createPrivateKey(readPem(keyFile)));
  } catch (error) {
    return failed(
      `${setting}: ${keyFile} ${wordsOf(error)}`,
      isOfSystem(error)
        ? 'Check keyFile for a slip, and whether the user of the process may read it.'
        : 'Give the private key in PEM, without a passphrase.',
    );
  }
  return isOwn
    ? finding
    : failed(
        `${setting}: ${keyFile} is not the key of ${certFile}`,
        'Give the two files that were issued together.',
      );
}

function ofFile({ setting, file, pem }: OneFile, nowMs: number): Dated {
  try {
    const { validFromDate, validToDate, subject } = new X509Certificate(pem ?? readPem(file));
    const untilMs = validToDate.getTime();
    const name = `${setting}: ${file} (${subject.replaceAll('\n', ', ')})`;
    const until = validToDate.toISOString();
    if (untilMs <= nowMs)
      return failed(`${name} ended ${until}`, 'Put the renewed one in its place and send SIGHUP.');
    if (validFromDate.getTime() > nowMs)
      return failed(`${name} begins ${validFromDate.toISOString()}`, 'Is the clock of this machine right?');
    const days = Math.floor((untilMs - nowMs) / dayMs);
    const isSoon = days < warnDays;
    const remedy = isSoon ? 'Renew it, put it in its place and send SIGHUP.' : undefined;
    return {
      status: isSoon ? 'warning' : 'ok',
      found: `${name} ends in ${days} days, ${until}`,
      remedy,
      untilMs,
    };
  } catch (error) {
    return failed(
      `${setting}: ${file} ${wordsOf(error)}`,
      isOfSystem(error)
        ? 'Check the path for a slip, and whether the user of the process may read it.'
        : 'Give a certificate in PEM.',
    );
  }
}

const failed = (found: string, remedy: string): Dated => ({ status: 'failed', found, remedy, untilMs: 0 });

const readPem = (file: string): Buffer => readFileSync(file);
const wordsOf = (error: unknown): string => systemWords(error).split('\n')[0] ?? '';
const isOfSystem = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

/**
 * Whether there is room in a folder, and whether this user may write in it. Of one that a first start makes, what is above it is looked at.
 *
 * `wantedBytes` is what may still be written there; `why` says what that is.
 */
export function examineDisk(
  wanted: string,
  { wantedBytes, why }: { readonly wantedBytes: number; readonly why: string },
): Finding {
  let dir = resolve(wanted);
  while (!existsSync(dir) && dirname(dir) !== dir) dir = dirname(dir);
  try {
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Fault('config.unreadable', {
      detail: `${dir} cannot be used by this user (${wordsOf(cause)}).`,
      hint: 'Check dataDir for a slip, or run this as the user that the process runs as.',
      cause,
    });
  }
  const { bavail, bsize } = statfsSync(dir);
  const freeBytes = bavail * bsize;
  const found = `${toMebibytes(freeBytes)} MiB free in ${dir}; ${why} ${toMebibytes(wantedBytes)} MiB${dir === resolve(wanted) ? '' : `; the first start makes ${resolve(wanted)}`}`;
  if (freeBytes >= wantedBytes) return { status: 'ok', found };
  return {
    status: freeBytes < 64 * mebibyte ? 'failed' : 'warning',
    found,
    remedy: 'Make room, give it a larger disk, or lower the bound.',
  };
}

const toMebibytes = (bytes: number): number => Math.round(bytes / mebibyte);
