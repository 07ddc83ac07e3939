/**
 * Wire types of logins at an identity provider: requests and answers of programs and applications, and the queries of
 * browsers.
 */
import { Type } from "typebox";
import { LoginAnswer } from "./auth.ts";

const Text = Type.String({ maxLength: 4096 });

/** RFC 8628, section 3.2, or the reference's answer, in which `verification_uri` is the one to poll. */
export const DeviceStart = Type.Object(
  {
    device_code: Type.String({ description: "secret, 64 hex digits" }),
    user_code: Type.String({ description: "`XXXX-XXXX`, for a person to type" }),
    verification_uri: Type.String({
      description: "to poll; in answer to a form (RFC 8628) where the browser goes",
    }),
    authorization_uri: Type.Optional(Type.String({ description: "where the browser goes" })),
    verification_uri_complete: Type.Optional(Type.String({ description: "in answer to a form only" })),
    expires_in: Type.Number({ description: "seconds" }),
    interval: Type.Number({ description: "seconds from one poll to the next" }),
  },
  { title: "DeviceAuthorization" },
);

/** The query with which a provider sends the browser back (RFC 6749, section 4.1.2); unknown parameters are ignored. */
export const ProviderReturn = Type.Object({
  code: Type.Optional(Text),
  // It contains the whole sealed login and the state of the application.
  state: Type.Optional(Type.String({ maxLength: 8192 })),
  error: Type.Optional(Text),
});

/** The form that a SAML provider posts (SAML Bindings, section 3.5.4). The authenticator limits the answer's size more closely. */
export const PostedForm = Type.Object(
  {
    SAMLResponse: Type.String({ description: "base64 of the signed answer" }),
    RelayState: Type.Optional(Type.String({ maxLength: 8192, description: "the state of the login" })),
  },
  { title: "SamlAnswer" },
);

/** Without a code, the person has not been at the provider yet. */
export const DeviceReturn = Type.Object({
  code: Type.Optional(Text),
  state: Type.Optional(Text),
  error: Type.Optional(Text),
  user_code: Type.Optional(Text),
});

export const DeviceFormBody = Type.Object(
  {
    user_code: Text,
    token: Type.Optional(Text),
    cancel: Type.Optional(Text),
  },
  { title: "DeviceForm" },
);

export const AuthorizeQuery = Type.Object({
  next: Type.Optional(
    Type.String({ maxLength: 2048, description: "the login is for our own pages, and leads there" }),
  ),
  state: Type.Optional(Type.String({ maxLength: 2048, description: "handed back to the application" })),
  code_challenge: Type.Optional(
    Type.String({ pattern: "^[A-Za-z0-9_-]{43}$", description: "PKCE of the application (RFC 7636)" }),
  ),
  code_challenge_method: Type.Optional(Type.String({ pattern: "^S256$" })),
});

export const GrantBody = Type.Object(
  {
    grant_type: Type.String({
      description: "`urn:ietf:params:oauth:grant-type:device_code` or `authorization_code`",
    }),
    device_code: Type.Optional(Type.String()),
    code: Type.Optional(Text),
    code_verifier: Type.Optional(Text),
  },
  { title: "GrantRequest" },
);

/** A page for the person in front of the browser. */
export const Page = { description: "A page", content: { "text/html": { schema: { type: "string" } } } };

export const Redirect = { description: "The browser is sent on", type: "null" };

/** An application's tokens, or a page. */
export const LoginOrPage = {
  description: "Tokens for a program; a page for a browser",
  content: { "application/json": { schema: LoginAnswer }, ...Page.content },
};
