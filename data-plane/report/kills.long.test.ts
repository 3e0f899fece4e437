// The same gateways, killed more often.
process.env['KILL_ROUNDS'] = '12';
await import('./kills.slow.test.ts');
