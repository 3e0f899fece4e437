import type { ControlPlaneOptions } from '../control-plane/start.ts';

/** Starts the ingester and opens the queries; the control plane calls it with what they work on. */
export const openAnalytics: ControlPlaneOptions['openAnalytics'] = undefined;
