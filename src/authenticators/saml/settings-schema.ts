/**
 * The arguments of the SAML authenticator. `saml_settings` is python3-saml's dictionary, as in Tiled's configurations; keys
 * that have no effect here are accepted, and said at each start. Their values are checked in `settings.ts`.
 */
import { type Static, Type } from "typebox";

const text = (description: string) => Type.String({ minLength: 1, description });
const flag = (description: string, fallback = false) =>
  Type.Optional(Type.Boolean({ default: fallback, description }));
const ignored = () => Type.Optional(Type.Unknown({ description: "No effect" }));
const ignoredAll = <K extends string>(names: readonly K[]) =>
  Object.fromEntries(names.map((name) => [name, ignored()])) as Record<K, ReturnType<typeof ignored>>;
const closed = { additionalProperties: false } as const;

/** By section; "" is the dictionary itself. */
export const NO_EFFECT = {
  "": ["strict", "debug", "organization", "contactPerson"],
  idp: ["singleLogoutService"],
  sp: ["singleLogoutService", "attributeConsumingService"],
  security: [
    "wantAssertionsSigned",
    "nameIdEncrypted",
    "wantNameId",
    "wantNameIdEncrypted",
    "logoutRequestSigned",
    "logoutResponseSigned",
    "signMetadata",
    "wantAttributeStatement",
    "failOnAuthnContextMismatch",
    "metadataValidUntil",
    "metadataCacheDuration",
    "allowSingleLabelDomains",
    "allowRepeatAttributeName",
    "relaxDestinationValidation",
    "rejectUnsolicitedResponsesWithInResponseTo",
    "rejectDeprecatedAlgorithm",
    "lowercaseUrlencoding",
  ],
} as const;

const idp = Type.Object(
  {
    entityId: text("The identity provider's name, as in its metadata"),
    singleSignOnService: Type.Object(
      {
        url: text("Where browsers are sent to log in (HTTP-Redirect)"),
        binding: Type.Optional(text("HTTP-Redirect only")),
      },
      { ...closed, description: "The provider's login page" },
    ),
    x509cert: Type.Optional(Type.String({ description: "The provider's signing certificate" })),
    x509certMulti: Type.Optional(
      Type.Object(
        {
          signing: Type.Optional(
            Type.Array(text("A certificate"), {
              minItems: 1,
              maxItems: 10,
              description: "Several, for a change",
            }),
          ),
          encryption: ignored(),
        },
        { ...closed, description: "Certificates beside x509cert" },
      ),
    ),
    certFingerprint: Type.Optional(Type.Unknown({ description: "Not supported: use x509cert" })),
    certFingerprintAlgorithm: Type.Optional(Type.Unknown({ description: "Not supported: use x509cert" })),
    ...ignoredAll(NO_EFFECT.idp),
  },
  { ...closed, description: "The identity provider" },
);

const sp = Type.Object(
  {
    entityId: text("This server's name at the provider; the audience of assertions"),
    assertionConsumerService: Type.Object(
      {
        url: text("This server's public address followed by /api/v1/auth/provider/{provider}/code"),
        binding: Type.Optional(text("HTTP-POST only")),
      },
      { ...closed, description: "Where the provider sends its answers" },
    ),
    NameIDFormat: Type.Optional(text("The format of NameID to request")),
    x509cert: Type.Optional(Type.String({ description: "This server's certificate at the provider" })),
    x509certNew: ignored(),
    privateKey: Type.Optional(
      Type.String({ description: "Its private key (PEM), for signed requests and encrypted assertions" }),
    ),
    ...ignoredAll(NO_EFFECT.sp),
  },
  { ...closed, description: "This server" },
);

const security = Type.Object(
  {
    authnRequestsSigned: flag("Whether requests are signed; needs sp.x509cert and sp.privateKey"),
    wantAssertionsEncrypted: flag("Whether assertions must be encrypted; needs sp.privateKey"),
    wantMessagesSigned: flag("Whether the Response must be signed beside its assertion"),
    requestedAuthnContext: Type.Optional(
      Type.Union([Type.Boolean(), Type.Array(text("A class"), { maxItems: 20 })], {
        default: true,
        description:
          "How the person must log in at the provider; true: with a password over TLS; false: any way",
      }),
    ),
    requestedAuthnContextComparison: Type.Optional(
      Type.Enum(["exact", "minimum", "maximum", "better"], {
        default: "exact",
        description: "How to compare it",
      }),
    ),
    signatureAlgorithm: Type.Optional(text("Of signed requests: rsa-sha256 or rsa-sha512")),
    digestAlgorithm: Type.Optional(text("SHA-256 or SHA-512")),
    ...ignoredAll(NO_EFFECT.security),
  },
  { ...closed, description: "What requests and answers must have" },
);

export const SAML_ARGS = Type.Object(
  {
    saml_settings: Type.Object(
      { idp, sp, security: Type.Optional(security), ...ignoredAll(NO_EFFECT[""]) },
      { ...closed, description: "python3-saml's settings" },
    ),
    attribute_name: text("The attribute whose only value is the person's id"),
    confirmation_message: Type.Optional(
      Type.String({ default: "", description: "Shown after a login; {id} stands for the identity" }),
    ),
  },
  closed,
);
export type SamlArgs = Static<typeof SAML_ARGS>;
