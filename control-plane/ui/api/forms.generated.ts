import type { JsonSchema } from '../kit/schema-form/shape.ts';

// Written by npm run generate.
export const corsForm: JsonSchema = {
  "type": "object",
  "properties": {
    "enabled": {
      "default": false,
      "title": "Let pages of other origins call it",
      "description": "The gateway answers preflight requests and adds the headers that browsers ask for",
      "type": "boolean"
    },
    "allowOrigin": {
      "default": [],
      "title": "Allowed origins",
      "description": "Such as https://app.example.com, patterns of them, or * for all",
      "maxItems": 100,
      "type": "array",
      "items": {
        "type": "string",
        "maxLength": 512
      }
    },
    "allowOriginRegex": {
      "default": [],
      "title": "Allowed origins, as patterns",
      "maxItems": 100,
      "type": "array",
      "items": {
        "type": "string",
        "maxLength": 512
      }
    },
    "allowMethods": {
      "default": [],
      "title": "Allowed methods",
      "maxItems": 100,
      "type": "array",
      "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 32,
        "pattern": "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$"
      }
    },
    "allowHeaders": {
      "default": [],
      "title": "Allowed headers",
      "description": "Headers of requests that a page may set",
      "maxItems": 100,
      "type": "array",
      "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 256,
        "pattern": "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$"
      }
    },
    "exposeHeaders": {
      "default": [],
      "title": "Exposed headers",
      "description": "Headers of answers that a page may read",
      "maxItems": 100,
      "type": "array",
      "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 256,
        "pattern": "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$"
      }
    },
    "allowCredentials": {
      "default": false,
      "title": "With cookies and other credentials",
      "type": "boolean"
    },
    "maxAge": {
      "default": -1,
      "title": "Browsers remember it for",
      "unit": "s",
      "description": "-1: as long as they like",
      "type": "integer",
      "minimum": -1,
      "maximum": 31536000
    },
    "runPolicies": {
      "default": false,
      "title": "Run policies on preflight requests",
      "type": "boolean"
    },
    "errorStatusCode": {
      "default": 400,
      "title": "Status of what is refused",
      "type": "integer",
      "minimum": 400,
      "maximum": 599
    },
    "allowPrivateNetwork": {
      "default": false,
      "title": "From public pages into a private network",
      "type": "boolean"
    }
  },
  "additionalProperties": false
};
export const failoverForm: JsonSchema = {
  "type": "object",
  "properties": {
    "enabled": {
      "default": false,
      "title": "Call another endpoint when one fails",
      "type": "boolean"
    },
    "maxRetries": {
      "default": 2,
      "title": "Calls after the first",
      "type": "integer",
      "minimum": 0,
      "maximum": 100
    },
    "slowCallDuration": {
      "default": 2000,
      "title": "A call has failed after",
      "unit": "ms",
      "type": "integer",
      "minimum": 50,
      "maximum": 86400000
    },
    "openStateDuration": {
      "default": 10000,
      "title": "A backend that keeps failing is spared for",
      "unit": "ms",
      "type": "integer",
      "minimum": 500,
      "maximum": 86400000
    },
    "maxFailures": {
      "default": 5,
      "title": "Failures in a row until it is spared",
      "type": "integer",
      "minimum": 1,
      "maximum": 1000000
    },
    "perSubscription": {
      "default": true,
      "title": "Judge it for each subscription apart",
      "type": "boolean"
    },
    "failureCondition": {
      "default": "",
      "title": "An answer has failed where",
      "description": "A condition, e.g. {#response.status == 503}; without one, no answer has",
      "type": "string",
      "maxLength": 8192
    },
    "forceNextEndpointOnFailure": {
      "default": false,
      "title": "Go through the endpoints of the group in their order",
      "type": "boolean"
    }
  },
  "additionalProperties": false
};
