// A real OAuth server for the tests: device flow, PKCE, rotating refresh tokens with detection of reuse, revocation, client
// credentials, token exchange. Its pages submit themselves, so that a browser that follows them is a person who agrees.
//
//   node server.mjs [--ttl SECONDS] [--device-ttl SECONDS] [--delay MS]
//
// The first line of stdout is `listening on http://127.0.0.1:PORT`. It ends with its standard input.
// GET /test/stats says what was done; POST /test/deny makes the person refuse from then on, POST /test/allow agree again;
// POST /test/rename gives the person another e-mail address, new@example.org;
// POST /test/login is a person who logs in without a browser: it answers with the tokens of `demo`.
// What a refresh token is exchanged for is made at once and sent after the delay.

import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Provider, { errors } from 'oidc-provider';

const { values: options } = parseArgs({
  options: {
    ttl: { type: 'string', default: '3600' },
    'device-ttl': { type: 'string', default: '600' },
    delay: { type: 'string', default: '0' },
  },
});
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const SCOPES = 'openid email offline_access';

const stats = { refreshes: 0, repeated: 0, reused: false, revocations: 0, grants: [], errors: [] };
const presented = new Set();
let deny = false;
let name;

const page = (body) =>
  `<!doctype html><title>test</title><body>${body}<script>document.forms[0]?.submit()</script></body>`;

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'demo',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token', DEVICE_CODE],
        response_types: ['code'],
        redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
        scope: SCOPES,
      },
      {
        client_id: 'machine',
        client_secret: 'CANARY-machine-secret',
        grant_types: ['client_credentials', TOKEN_EXCHANGE],
        response_types: [],
        redirect_uris: [],
        scope: SCOPES,
      },
      {
        client_id: 'poster',
        client_secret: 'CANARY-machine-secret',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        scope: SCOPES,
      },
    ],
    pkce: { required: () => true },
    scopes: ['openid', 'email', 'offline_access'],
    claims: { openid: ['sub'], email: ['email'] },
    conformIdTokenClaims: false,
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${name ?? id}@example.org` }) }),
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    ttl: {
      AccessToken: Number(options.ttl),
      ClientCredentials: Number(options.ttl),
      DeviceCode: Number(options['device-ttl']),
      RefreshToken: 86400,
      Grant: 86400,
      Session: 86400,
      Interaction: 600,
      IdToken: 3600,
    },
    cookies: { keys: ['test'] },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: (ctx, out) => {
      ctx.body = page(`<p>error: ${out.error}</p>`);
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: true },
      deviceFlow: {
        enabled: true,
        mask: '****-****',
        userCodeInputSource: (ctx, form, out, error) => {
          ctx.body = `<!doctype html><title>test</title><body><p>${error ? 'wrong code' : 'enter the code'}</p>${form}</body>`;
        },
        userCodeConfirmSource: (ctx, form) => {
          const abort = '<input type="hidden" name="abort" value="yes">';
          ctx.body = page(deny ? form.replace('</form>', `${abort}</form>`) : form);
        },
        successSource: (ctx) => {
          ctx.body = page('<p>device approved</p>');
        },
      },
    },
  });
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    async (ctx) => {
      const { AccessToken, ClientCredentials } = ctx.oidc.provider;
      const { subject_token: subject, subject_token_type: kind } = ctx.oidc.params;
      if (kind !== 'urn:ietf:params:oauth:token-type:access_token') {
        throw new errors.InvalidRequest('unsupported subject_token_type');
      }
      if (!(await AccessToken.find(subject)) && !(await ClientCredentials.find(subject))) {
        throw new errors.InvalidGrant(`no such token: ${subject}`);
      }
      const token = new ClientCredentials({ client: ctx.oidc.client, scope: 'email' });
      ctx.body = {
        access_token: await token.save(),
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: token.expiration,
      };
    },
    ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope'],
  );
  // The package takes a secret in either way, which not all servers do.
  provider.use(async (ctx, next) => {
    const basic = ctx.get('authorization').match(/^Basic (.+)$/)?.[1] ?? '';
    if (!Buffer.from(basic, 'base64').toString().startsWith('poster:')) return next();
    ctx.status = 401;
    ctx.body = { error: 'invalid_client', error_description: 'its secret belongs into the body' };
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path !== '/token') return;
    const token = ctx.oidc?.params?.refresh_token;
    if (!token) return;
    if (presented.has(token)) stats.repeated += 1;
    presented.add(token);
    await sleep(Number(options.delay));
  });
  provider.on('grant.success', (ctx) => {
    const kind = ctx.oidc.params.grant_type;
    stats.grants.push(kind);
    if (kind === 'refresh_token') stats.refreshes += 1;
  });
  provider.on('grant.error', (ctx, error) => {
    if (error.error !== 'authorization_pending') stats.errors.push(error.error);
    if (error.error_detail === 'refresh token already used') stats.reused = true;
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  const callback = provider.callback();

  async function login() {
    const redirect_uri = 'http://127.0.0.1/callback';
    const code_verifier = randomBytes(32).toString('base64url');
    const grant = new provider.Grant({ accountId: 'dev', clientId: 'demo' });
    grant.addOIDCScope(SCOPES);
    const code = new provider.AuthorizationCode({
      accountId: 'dev',
      client: await provider.Client.find('demo'),
      grantId: await grant.save(),
      scope: SCOPES,
      redirectUri: redirect_uri,
      codeChallenge: createHash('sha256').update(code_verifier).digest('base64url'),
      codeChallengeMethod: 'S256',
    });
    const form = { grant_type: 'authorization_code', client_id: 'demo', code: await code.save(), redirect_uri, code_verifier };
    const answer = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
    return answer.text();
  }

  async function interaction(request, response) {
    const { uid, prompt, params, grantId, session } = await provider.interactionDetails(request, response);
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html');
      response.end(page(`<form method="post" action="/interaction/${uid}"></form><p>${prompt.name}</p>`));
      return;
    }
    let result;
    if (deny) {
      result = { error: 'access_denied', error_description: 'the person said no' };
    } else if (prompt.name === 'login') {
      result = { login: { accountId: 'dev' } };
    } else {
      const grant = grantId
        ? await provider.Grant.find(grantId)
        : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope(SCOPES);
      result = { consent: { grantId: await grant.save() } };
    }
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  }

  server.on('request', async (request, response) => {
    const path = request.url.split('?')[0];
    try {
      if (path.startsWith('/interaction/')) return await interaction(request, response);
      if (path === '/test/stats') {
        response.setHeader('content-type', 'application/json');
        return response.end(JSON.stringify(stats));
      }
      if (path === '/test/login') {
        return response.end(await login());
      }
      if (path === '/test/deny' || path === '/test/allow') {
        deny = path === '/test/deny';
        return response.end();
      }
      if (path === '/test/rename') {
        name = 'new';
        return response.end();
      }
      if (path === '/token/revocation') stats.revocations += 1;
      callback(request, response);
    } catch (error) {
      console.error(error);
      response.statusCode = 500;
      response.end(String(error));
    }
  });
  console.log(`listening on ${issuer}`);
});
process.stdin.on('end', () => process.exit(0)).resume();
