import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';

import {
  type ChannelCredentials,
  type Client,
  credentials,
  type MethodDefinition,
  type requestCallback,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type StatusObject,
  status,
  type sendUnaryData,
} from '@grpc/grpc-js';

const text = { to: (value: string) => Buffer.from(value), from: (bytes: Buffer) => bytes.toString() };
const method = (
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<string, string> => ({
  path: `/test.Words/${name}`,
  requestStream,
  responseStream,
  requestSerialize: text.to,
  requestDeserialize: text.from,
  responseSerialize: text.to,
  responseDeserialize: text.from,
});

/** A service of texts, one method of each kind: messages need no schema to be messages. */
const words = {
  Say: method('Say', false, false),
  Count: method('Count', false, true),
  Join: method('Join', true, false),
  Echo: method('Echo', true, true),
  /** Answers nothing, until its caller goes. */
  Wait: method('Wait', false, false),
  Fail: method('Fail', false, false),
  /** Answers when the test says so, whatever its caller does. */
  Late: method('Late', true, true),
} satisfies ServiceDefinition;

/** What the service heard. */
export interface HeardCall {
  readonly metadata: Metadata;
  readonly deadlineMs: number;
}

/** A server of gRPC by its own library; in clear text unless it has credentials. */
export async function startGrpcServer(
  t: Pick<TestContext, 'after'>,
  secured: ServerCredentials = ServerCredentials.createInsecure(),
) {
  const heard: HeardCall[] = [];
  let cancelled = 0;
  const late: ServerDuplexStream<string, string>[] = [];
  const hear = (call: { readonly metadata: Metadata; getDeadline(): Date | number }): void =>
    void heard.push({ metadata: call.metadata, deadlineMs: Number(call.getDeadline()) });
  const trailers = new Metadata();
  trailers.set('x-trailer', 'last');
  trailers.set('x-trailer-bin', Buffer.from([0, 255]));
  const server = new Server();
  server.addService(words, {
    Say(call: ServerUnaryCall<string, string>, answer: sendUnaryData<string>) {
      hear(call);
      const head = new Metadata();
      head.set('x-head', 'first');
      call.sendMetadata(head);
      answer(null, `said ${call.request}`, trailers);
    },
    Count(call: ServerWritableStream<string, string>) {
      hear(call);
      for (let at = 1; at <= Number(call.request); at += 1) call.write(String(at));
      call.end(trailers);
    },
    Join(call: ServerReadableStream<string, string>, answer: sendUnaryData<string>) {
      hear(call);
      const parts: string[] = [];
      call.on('data', (part: string) => parts.push(part));
      call.on('end', () => answer(null, parts.join('+'), trailers));
    },
    Echo(call: ServerDuplexStream<string, string>) {
      hear(call);
      call.on('data', (part: string) => void call.write(`echo ${part}`));
      call.on('end', () => call.end(trailers));
    },
    Wait(call: ServerUnaryCall<string, string>) {
      hear(call);
      call.on('cancelled', () => (cancelled += 1));
    },
    Fail(call: ServerUnaryCall<string, string>, answer: sendUnaryData<string>) {
      hear(call);
      answer({ code: status.ALREADY_EXISTS, details: `${call.request} ü % is there`, metadata: trailers });
    },
    Late(call: ServerDuplexStream<string, string>) {
      hear(call);
      call.on('cancelled', () => (cancelled += 1)).resume();
      late.push(call);
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', secured, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  t.after(() => server.forceShutdown());
  const answerLate = (): void => {
    for (const call of late.splice(0)) {
      call.write('late');
      call.end(trailers);
    }
  };
  return { port, heard, cancelled: () => cancelled, answerLate, stop: () => server.forceShutdown() };
}

/** How a call ended. */
export interface GrpcEnd {
  readonly code: number;
  readonly details: string;
  readonly messages: readonly string[];
  readonly head: Metadata | undefined;
  readonly trailers: Metadata | undefined;
}

/** What goes with a call. */
export interface GrpcWish {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  /** The caller's side stays open; `say` and `end` of the call go on with it. */
  readonly isOpen?: boolean;
}

/** A client of the service. */
export function openGrpc(
  t: Pick<TestContext, 'after'>,
  port: number,
  secured: ChannelCredentials = credentials.createInsecure(),
) {
  const made: Client = new (makeGenericClientConstructor(words, 'Words'))(`localhost:${port}`, secured, {
    // A test that waits for a broken connection to be tried again would wait for long.
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  t.after(() => made.close());
  return {
    /** Starts a call; one message, or one after the other. */
    start(
      name: keyof typeof words,
      messages: readonly string[],
      { metadata = {}, deadlineMs, isOpen = false }: GrpcWish = {},
    ) {
      const definition: MethodDefinition<string, string> = words[name];
      const sent = new Metadata();
      for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
      const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
      const { path, requestSerialize: to, responseDeserialize: from } = definition;
      const received: string[] = [];
      let failure: ServiceError | undefined;
      const hear: requestCallback<string> = (error, value) => {
        if (error !== null) failure = error;
        else if (value !== undefined) received.push(value);
      };
      const call = definition.requestStream
        ? definition.responseStream
          ? made.makeBidiStreamRequest(path, to, from, sent, options)
          : made.makeClientStreamRequest(path, to, from, sent, options, hear)
        : definition.responseStream
          ? made.makeServerStreamRequest(path, to, from, messages[0] ?? '', sent, options)
          : made.makeUnaryRequest(path, to, from, messages[0] ?? '', sent, options, hear);
      let head: Metadata | undefined;
      call.on('metadata', (given: Metadata) => (head = given));
      if (definition.responseStream) {
        call.on('data', (part: string) => void received.push(part));
        call.on('error', (error: ServiceError) => (failure = error));
      }
      if (call instanceof Writable) {
        for (const message of messages) call.write(message);
        if (!isOpen) call.end();
      }
      const sink = call instanceof Writable ? call : undefined;
      // Not `once`, which an error ends before the status is here.
      const ended = new Promise<StatusObject>((resolve) => call.once('status', resolve)).then(
        async (given): Promise<GrpcEnd> => {
          // The callback, or the error, comes in the same turn as the status.
          await new Promise(setImmediate);
          return {
            code: failure?.code ?? given.code,
            details: failure?.details ?? given.details,
            messages: received,
            head,
            trailers: given.metadata,
          };
        },
      );
      return {
        cancel: () => call.cancel(),
        received,
        say: (message: string): void => void sink?.write(message),
        end: (): void => void sink?.end(),
        ended,
      };
    },
  };
}
