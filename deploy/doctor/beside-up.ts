import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { foldersOf } from '../../proto/process/data-folder.ts';
import type { Check, Examined } from './doctor.ts';
import { processAt } from './ports.ts';

/** What is examined, with the settings that an earlier check put in. */
interface Besides extends Examined {
  readonly isOfUp?: boolean;
  readonly config?: { readonly dataDir: string };
}

/** Ports of parts of `isthmus up`, before an offset moves them. */
const nodePorts = { controlPlane: 18_083, bridge: 18_093 };

const origin = z.url({ protocol: /^http$/ }).transform((text) => new URL(text));
const Addresses = z.object({ controlPlaneNode: origin, bridgeNode: origin });

/**
 * Says that the data folder is that of an `isthmus up`, whose parts have other settings than a process alone: what was examined is not what
 * runs.
 */
export const besideUp: Check<Besides> = {
  name: 'up',
  needs: ['config'],
  concerns: ({ config, isOfUp }) =>
    isOfUp !== true && config !== undefined && existsSync(foldersOf(config.dataDir).addresses),
  async examine({ config }) {
    const { dataDir = '' } = config ?? {};
    const nodes = nodesIn(foldersOf(dataDir).addresses);
    if (nodes === undefined || (await processAt(nodes.controlPlaneNode.origin)) !== 'control-plane')
      return {
        status: 'ok',
        found: `isthmus up was started on ${resolve(dataDir)} before, and does not run`,
      };
    const offset = Number(nodes.controlPlaneNode.port) - nodePorts.controlPlane;
    // Where ports were set one by one, its own flags say which.
    const isMoved = offset > 0 && Number(nodes.bridgeNode.port) - nodePorts.bridge === offset;
    return {
      status: 'warning',
      found: `isthmus up runs on ${resolve(dataDir)}; its parts are not what was examined here`,
      remedy: `isthmus doctor up${isMoved ? ` --port-offset ${offset}` : ''} examines every part of it, with the other flags that it was started with.`,
    };
  },
};

/** Undefined for a file of another hand. */
function nodesIn(file: string): z.output<typeof Addresses> | undefined {
  try {
    return Addresses.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
