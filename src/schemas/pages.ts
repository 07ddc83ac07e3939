/**
 * What the forms of our pages send. Fields are optional, so that a form that is not complete is shown again with a word of
 * help and not refused.
 */
import { Type } from "typebox";

const Text = Type.Optional(Type.String({ maxLength: 4096 }));

export const LoginQuery = Type.Object({ next: Text, provider: Text, again: Text });
export const LoginBody = Type.Object({
  token: Text,
  provider: Text,
  next: Text,
  username: Text,
  password: Text,
});
export const UseKeyBody = Type.Object({ token: Text, key: Text, next: Text });
export const TokenBody = Type.Object({ token: Text });
export const AccountQuery = Type.Object({ done: Text });
/** A form's fields beside them. */
export const GoOnQuery = Type.Object(
  { proof: Text, action: Text },
  { additionalProperties: Type.String({ maxLength: 4096 }) },
);
export const EndSessionBody = Type.Object({ token: Text, session: Text });
export const RevokeKeyBody = Type.Object({ token: Text, first_eight: Text });
export const MakeKeyBody = Type.Object(
  { token: Text, note: Text, lifetime: Text },
  // `scope read:data`, …: one field for each box that is ticked.
  { additionalProperties: Type.String({ maxLength: 16 }) },
);
export const IdentityBody = Type.Object({ token: Text, provider: Text, id: Text });
