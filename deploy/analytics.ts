import { foldersOf } from '../proto/process/data-folder.ts';
import type { AnalyticsSettings } from '../control-plane/analytics/settings.ts';
import type { ControlPlaneOptions } from '../control-plane/start.ts';

/** Makes what the control plane calls to start the ingester and open the queries; DuckDB is loaded then and not before. */
export function createAnalyticsOpener(
  settings: AnalyticsSettings,
): NonNullable<ControlPlaneOptions['openAnalytics']> {
  return async ({ config, storage, blobs, log, clock, lifecycle, metrics }) => {
    const { startAnalytics } = await import('../control-plane/analytics/start.ts');
    const dir = foldersOf(config.dataDir).analytics;
    return startAnalytics({ storage, blobs, dir, settings, log, clock, lifecycle, metrics });
  };
}
