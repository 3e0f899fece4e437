import S3rver from 's3rver';

// Started by s3-server.ts: folder and port come as arguments.
const [directory = '', port = '0'] = process.argv.slice(2);
const server = new S3rver({
  directory,
  port: Number(port),
  address: '127.0.0.1',
  silent: true,
  configureBuckets: [{ name: 'isthmus', configs: [] }],
});
await server.run();
process.stdout.write('ready\n');
