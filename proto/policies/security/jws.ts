import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';

/** Of CN=acme; its key is nobody's. */
const exampleCertificate =
  'MIICmTCCAYGgAwIBAgIBATANBgkqhkiG9w0BAQsFADAPMQ0wCwYDVQQDEwRhY21lMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDEwRhY21lMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAraETivHIh1Ur6B8vKZEgHNzvCA4m1fb+XN5T229K0TziAUghIIlHH8CcIatoBVvuzJSHqqZyxiAtK+PLD6W66JA4YV6b5mx92h26ujQm2u1gYeN42kzT8c44vWUahQkjMpTw6EwLnTeRe46KW0P0JSJyLKx/N47b6sOUn9UyQfktDGB1GH8z8W3XLmnD3+iZTOwPWCJB/7YvCoemRY4YIYGOn0uQCpO/3xYv7Fo0Kp7oLsKVttO/WDPKrT8q9CyoHtmcesgiopDpPDrw+BN2rHi+Fc9ZS6/5DDZ+SLylCtfumb3hNZmqG17OECnx0+6mMSFDPa5TBDAT81jMRU6xgQIDAQABMA0GCSqGSIb3DQEBCwUAA4IBAQBI1fD94el7Q6mcPSXx1XkI/w11SUqAnaf2qmPmTOlGbWUEW7/xWWTsPqJQelR3TGCZOytDUpjJjK1BtHty7uO/yvV14ftDArPekrekOckR/BLFXrkTDIQDfG/QGJyoGIt4Ho1EMgWzBHsjbDIYaWvnhoOk90OFMvDnT0mBfEGhESFAsx+T++RBAlaMD76wyWJJQM0w/E2k+mFd06aljDWO4ti/6qZEXEJLfGZkY3gLPhLQFedAcDxwBk1zBvUzELDPtzZFgWgCEdfOONChDNId4g1OPaUcp4WBL/eAzgxG+9fB8Z2v49YW6l94+cW6BZfQF+1KHLPAigNp/9BSx6W8';
/** `{"order":7}`, signed with it. */
const exampleOrder =
  'eyJhbGciOiJSUzI1NiIsImtpZCI6ImFjbWUiLCJ4NWMiOlsiTUlJQ21UQ0NBWUdnQXdJQkFnSUJBVEFOQmdrcWhraUc5dzBCQVFzRkFEQVBNUTB3Q3dZRFZRUURFd1JoWTIxbE1DQVhEVEl3TURFd01UQXdNREF3TUZvWUR6SXhNakF3TVRBeE1EQXdNREF3V2pBUE1RMHdDd1lEVlFRREV3UmhZMjFsTUlJQklqQU5CZ2txaGtpRzl3MEJBUUVGQUFPQ0FROEFNSUlCQ2dLQ0FRRUFyYUVUaXZISWgxVXI2Qjh2S1pFZ0hOenZDQTRtMWZiK1hONVQyMjlLMFR6aUFVZ2hJSWxISDhDY0lhdG9CVnZ1ekpTSHFxWnl4aUF0SytQTEQ2VzY2SkE0WVY2YjVteDkyaDI2dWpRbTJ1MWdZZU40Mmt6VDhjNDR2V1VhaFFrak1wVHc2RXdMblRlUmU0NktXMFAwSlNKeUxLeC9ONDdiNnNPVW45VXlRZmt0REdCMUdIOHo4VzNYTG1uRDMraVpUT3dQV0NKQi83WXZDb2VtUlk0WUlZR09uMHVRQ3BPLzN4WXY3Rm8wS3A3b0xzS1Z0dE8vV0RQS3JUOHE5Q3lvSHRtY2VzZ2lvcERwUERydytCTjJySGkrRmM5WlM2LzVERForU0x5bEN0ZnVtYjNoTlptcUcxN09FQ254MCs2bU1TRkRQYTVUQkRBVDgxak1SVTZ4Z1FJREFRQUJNQTBHQ1NxR1NJYjNEUUVCQ3dVQUE0SUJBUUJJMWZEOTRlbDdRNm1jUFNYeDFYa0kvdzExU1VxQW5hZjJxbVBtVE9sR2JXVUVXNy94V1dUc1BxSlFlbFIzVEdDWk95dERVcGpKaksxQnRIdHk3dU8veXZWMTRmdERBclBla3Jla09ja1IvQkxGWHJrVERJUURmRy9RR0p5b0dJdDRIbzFFTWdXekJIc2piRElZYVd2bmhvT2s5ME9GTXZEblQwbUJmRUdoRVNGQXN4K1QrK1JCQWxhTUQ3Nnd5V0pKUU0wdy9FMmsrbUZkMDZhbGpEV080dGkvNnFaRVhFSkxmR1prWTNnTFBoTFFGZWRBY0R4d0JrMXpCdlV6RUxEUHR6WkZnV2dDRWRmT09OQ2hETklkNGcxT1BhVWNwNFdCTC9lQXpneEcrOWZCOFoydjQ5WVc2bDk0K2NXNkJaZlFGKzFLSExQQWlnTnAvOUJTeDZXOCJdfQ.eyJvcmRlciI6N30.UNHnMAgj-tGLex7DDOLhGDr7ugWUbQCQqYD5X_FbXTBQ4i0wHSKqZnA2Yc91hAeQeSvziOrstqSVABxKO3AN5RAY3MvkW6sLphxxN_VxrtZBYZ2F4nEHgm4MYbOpPKfKvtBYa2QLco6cvP4I88Oz-IOVxd83fy9HrB14asZHnQarE3_2rnOWgF6M9TBHwSL4lzeoOJy9O9SAF-FnG1Xp8wX8qWeVegH9Nnb_YGta-fdsWQxRQg21Rwwb0UTV6q_zEIeLtFC8oukmFw5qyUldYDfMLwGTpGsRNoAcpAxS44-l71b9I0-m3v1OZWwME_ZFXhaPs5Jv-3zdREa8AixTPQ';

/** Lets bodies pass that somebody has signed whose key the gateway has. */
export const jws = definePolicy({
  id: 'jws',
  title: 'JSON Web Signature',
  summary: 'Lets requests pass whose body is signed by somebody whom the gateway knows.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z.strictObject({
      /** Whether the certificate has to be in date. */
      checkCertificateValidity: z.boolean().default(false),
      checkCertificateRevocation: z
        .boolean()
        .default(false)
        .refine(
          (isChecked) => !isChecked,
          'is not supported by this version; allowed: false. Take the key out of the setting policy.jws.keys, which counts after a restart',
        ),
    }),
  errors: {
    JWS_INVALID: { status: 401, message: 'Unauthorized' },
  },
  docs: 'The body is a compact JWS of RS256, RS384, RS512, PS256, PS384 or PS512, which the backend gets as it came. Its `kid` (`default` where it has none) names a key of the setting `policy.jws.keys`; `x5c` has to be there, and the first of its certificates to be of that key: what else it says is believed by nobody. `typ` is `JOSE+JSON` or `JSON`, `cty` is `json`, where they are there; `crit` is refused. A payload that is a JSON object is refused past its `exp`, and before its `nbf` (60 s of tolerance). With `checkCertificateValidity` the certificate has to be in date.',
  example: () => ({
    about: 'Orders come signed by somebody whose key the gateway has.',
    request: [{ policy: 'jws', configuration: { checkCertificateValidity: true } }],
    settings: {
      policy: {
        jws: {
          keys: [
            {
              kid: 'acme',
              key: `-----BEGIN CERTIFICATE-----\n${exampleCertificate}\n-----END CERTIFICATE-----\n`,
            },
          ],
        },
      },
    },
    calls: [
      {
        request: { body: exampleOrder },
        received: { body: exampleOrder },
        answer: { body: 'hello' },
      },
      { request: { body: exampleOrder.replace('.', '.x') }, received: 'nothing', answer: { status: 401 } },
    ],
  }),
});
