import type { Clock } from '../../proto/process/clock.ts';
import { openRedis, type OpenRedis, type RedisPlace } from './connect.ts';
import { Probing } from './probing.ts';

/** What values in Redis need. */
interface RedisValuesOptions {
  readonly place: RedisPlace & { readonly cluster?: undefined };
  /** Largest value; what is larger was put there by somebody else. */
  readonly bytesMax: number;
  /** Values that are on their way to be kept. */
  readonly settingBytesMax: number;
  /** Longest wait for an answer. */
  readonly waitMsMax: number;
  readonly clock: Pick<Clock, 'after'>;
  /** Told once, until `onBack`. */
  readonly onAway: (why: unknown) => void;
  readonly onBack: () => void;
  /** A value that was not kept. */
  readonly onUnkept: () => void;
}

/** Values by key in a Redis. */
interface RedisValues {
  /** Never rejects. */
  get(key: string): Promise<Uint8Array | 'nothing' | 'unavailable'>;
  /** Nobody waits for it: past `settingBytesMax` on their way, values are not kept. */
  set(key: string, value: Uint8Array, lifeMs: number): void;
  close(): void;
}

/** Most look-ups that wait for an answer. */
const waitingMax = 10_000;
const probeKey = 'isthmus:probe';

/**
 * Keeps values in Redis, each for its time.
 *
 * Who is late by more than its budget, or cannot be read from, is asked for nothing until a look of its own is answered in time. Of a value
 * never more comes over than `bytesMax`. Who can be read from and not written to goes on to be read.
 */
export function openRedisValues(options: RedisValuesOptions): RedisValues {
  const { place, bytesMax, settingBytesMax, waitMsMax, clock, onAway, onBack, onUnkept } = options;
  const redis = openRedis(place);
  const { client } = redis;
  const opened = readyInTime(redis, options);
  const read = async (key: string, last: number): Promise<Uint8Array> => {
    await opened;
    return client.getrangeBuffer(key, 0, last);
  };
  const probing = new Probing({
    probe: () => read(probeKey, 0),
    waitMsMax,
    clock,
    onAnswered: () => onBack(),
  });
  let waiting = 0;
  let setting = 0;
  const leave = (why: unknown): void => {
    if (probing.isOn) return;
    probing.begin();
    onAway(redis.trouble() ?? why);
  };
  const inTime = <Answer>(asked: Promise<Answer>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const isLate = (): void => {
        const why = new Error(`no answer within ${waitMsMax} ms`);
        leave(why);
        reject(why);
      };
      // After a turn in which this process was the late one, the answer may lie there unread.
      let look: NodeJS.Immediate | undefined;
      const cancel = clock.after(waitMsMax, () => void (look = setImmediate(isLate)));
      asked.then(resolve, reject).finally(() => {
        cancel();
        clearImmediate(look);
      });
    });
  // The first look is our own, so that no request has to find out that nobody is there.
  inTime(read(probeKey, 0)).catch(leave);
  return {
    async get(key) {
      if (probing.isOn || waiting >= waitingMax) return 'unavailable';
      waiting += 1;
      try {
        // One more than is allowed, so that one that is too large is known for that.
        const value = await inTime(read(key, bytesMax));
        return value.length === 0 || value.length > bytesMax ? 'nothing' : value;
      } catch (error) {
        leave(error);
        return 'unavailable';
      } finally {
        waiting -= 1;
      }
    },
    set(key, value, lifeMs) {
      const { buffer, byteOffset, length } = value;
      if (probing.isOn || setting + length > settingBytesMax) return onUnkept();
      setting += length;
      const told = client.set(key, Buffer.from(buffer, byteOffset, length), 'PX', lifeMs);
      // The client holds it until it is answered, or gives up.
      void told.catch(() => undefined).finally(() => (setting -= length));
      inTime(told).catch(() => onUnkept());
    },
    close() {
      probing.close();
      redis.close();
    },
  };
}

/** Who asks first finds it connected, or hears why it is not, and has waited as long as for an answer. */
function readyInTime(
  redis: Pick<OpenRedis, 'ready'>,
  { waitMsMax, clock }: Pick<RedisValuesOptions, 'waitMsMax' | 'clock'>,
): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(waitMsMax, resolve);
    void redis.ready().then(() => {
      cancel();
      resolve();
    });
  });
}
