/** Every name that somebody of this gateway sets, and what it says; for the reference. */
export const attributeWords: ReadonlyMap<string, string> = new Map([
  ['organization', 'its id'],
  ['environment', 'its id'],
  ['api', "the API's id"],
  ['api.name', "the API's name"],
  ['context-path', 'with a slash at its end'],
  ['resolved-path', 'path of the last flow that was chosen, as it is written'],
  ['mapped-path', "the path mapping that fits, of the API's analytics"],
  ['request.method', 'as it was received'],
  ['request.original-url', 'as it was received, with scheme, host and query'],
  ['plan', "the plan's id"],
  ['application', "the application's id; `1` of callers without a subscription"],
  ['subscription-id', 'nothing without one'],
  ['user-id', "the subscription's id; without one the client's address"],
  [
    'api-key',
    'the key, also where the backend does not get it; access records have none, and log lines mask it',
  ],
  [
    'user',
    'who a token (`jwt`, `oauth2`) is about, or who has shown his password (`policy-basic-authentication`)',
  ],
  ['user.roles', 'scopes of a token (`oauth2`), or roles of a user (`policy-basic-authentication`)'],
  ['oauth.client_id', 'of a token (`jwt`, `oauth2`)'],
  ['oauth.access_token', 'the token (`oauth2`, `policy-openid-userinfo`)'],
  [
    'openid.userinfo.payload',
    'what is known of the user, as JSON (`policy-openid-userinfo` with `extractPayload`)',
  ],
  ['oauth.payload', 'what the authorization server said, as JSON (`oauth2` with `extractPayload`)'],
  ['jwt.claims', 'by name (`jwt` with `extractClaims`)'],
  ['jwt', 'what the token says of itself (`jwt`): `token`, and `claims` by name'],
  ['jwt.token', 'the token (`jwt`)'],
  ['jwt.generated', 'the token that `policy-generate-jwt` made'],
  ['rest-to-soap.query-parameters', 'of the request that `rest-to-soap` made one of SOAP, by name'],
  ['request.endpoint', 'where `dynamic-routing` sends the request, or you do'],
  ['quota.count', 'of the last `quota`'],
  ['quota.remaining', 'of the last `quota`'],
  ['quota.limit', 'of the last `quota`'],
  ['quota.reset.time', 'of the last `quota`: ms since 1970'],
]);

/** Those of the reference that nobody sets here, and why; for the reference. */
export const attributesNotSet: ReadonlyMap<string, string> = new Map([
  ['api.deployed-at', 'when an API was deployed is told by the management API; gateways do not learn it'],
  ['clientIdentifier', 'of message APIs, which are not supported yet; `user-id` tells callers apart'],
  [
    'failure',
    'what response templates know as `#error` and `#parameters`; steps of an answer see its status',
  ],
  ['oauth.token', 'the same as `oauth.access_token`'],
  ['sni', '`#request.host` is the host that was asked for'],
]);
