import { S3Client } from '@aws-sdk/client-s3';

import type { S3Settings } from './settings.ts';

/** How often and how long a call is tried. */
export interface S3Patience {
  readonly attemptsMax: number;
  /** Unset: the caller's signal alone ends a call. */
  readonly connectMsMax?: number | undefined;
  readonly requestMsMax?: number | undefined;
}

/** Makes the client of a store: the one place that knows how our settings are called in the SDK. */
export function createS3Client(settings: S3Settings, patience: S3Patience): S3Client {
  const { endpoint, accessKeyId, secretAccessKey } = settings;
  // 'required' sends checksums only where the protocol demands them: the SDK's own default breaks many compatible stores.
  const checksums = settings.checksums === 'always' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  return new S3Client({
    region: settings.region,
    forcePathStyle: settings.forcePathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts: patience.attemptsMax,
    ...(patience.requestMsMax !== undefined && {
      requestHandler: {
        connectionTimeout: patience.connectMsMax,
        requestTimeout: patience.requestMsMax,
        throwOnRequestTimeout: true,
      },
    }),
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
  });
}
