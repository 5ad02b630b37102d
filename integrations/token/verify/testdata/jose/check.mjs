// Reads {keys, issuer, audience, tokens: {name: token}} from stdin, and writes {name: "accepted" or why not}.
import { createLocalJWKSet, jwtVerify } from "jose";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { keys, issuer, audience, tokens } = JSON.parse(text);

const keySet = createLocalJWKSet(keys);
const verdicts = {};
for (const [name, token] of Object.entries(tokens)) {
  try {
    await jwtVerify(token, keySet, {
      issuer,
      audience,
      typ: "at+jwt",
      algorithms: ["ES256"],
      requiredClaims: ["exp", "iat", "jti", "sub", "client_id"],
    });
    verdicts[name] = "accepted";
  } catch (error) {
    verdicts[name] = error.code ?? String(error);
  }
}
process.stdout.write(JSON.stringify(verdicts));
