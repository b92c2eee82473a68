// The registry's names at the edge: each request becomes the name of one object, before the cache is looked up.
//
// CloudFront Functions, runtime 2.0, viewer request. The cache key has no query string, so whatever decides what is
// answered has to stand in the path when this returns. The same rules, in Python: attestlayer.log.layout.rewrite_query
// and issuer.local.static; a test holds the two together, byte for byte.
//
// The runtime: 10 KB of code, no clock, no network, no code out of strings. Written in the subset that njs takes too.

const METHODS = 'GET, HEAD, OPTIONS';
const INCLUSION = 'v1/proofs/inclusion';
const CONSISTENCY = 'v1/proofs/consistency';

// What must not stand in a value, rather than what must: `$` of some engines also matches before a last newline.
const NOT_BASE64URL = /[^A-Za-z0-9_-]/;
const NOT_DIGIT = /[^0-9]/;
const NOT_PART = /[^A-Za-z0-9._-]/;
const NOT_DOT = /[^.]/;
const HASH_LENGTH = 43;
const HASH_LAST = 'AEIMQUYcgkosw048'; // 32 bytes leave two bits of the last character over: both zero
const INTEGER_LENGTH = 16;
const MAX_INTEGER = 9007199254740991;
const PART_MAX = 255;
const NAME_MAX = 1024;
const SHOWN_MAX = 80;

const PROBLEMS = {
    'malformed-request': { status: 400, phrase: 'Bad Request', title: 'The request could not be read' },
    'not-found': { status: 404, phrase: 'Not Found', title: 'There is no such resource' },
    'method-not-allowed': {
        status: 405,
        phrase: 'Method Not Allowed',
        title: 'The path does not have this method',
    },
};

function handler(event) {
    const request = event.request;
    if (request.method === 'OPTIONS') {
        return preflight();
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
        return refuse(event, 'method-not-allowed', `found ${request.method}, this path takes ${METHODS}`);
    }
    const found = nameOf(request.uri, request.rawQueryString() || '');
    if (found.problem) {
        return refuse(event, found.problem, found.detail);
    }
    request.uri = `/${found.name}`;
    request.querystring = {};
    return request;
}

// The object that path and query name. Nothing is decoded: each object has one spelling.
function nameOf(path, query) {
    let name = path.charAt(0) === '/' ? path.slice(1) : path;
    if (name === INCLUSION || name === CONSISTENCY) {
        return name === INCLUSION ? inclusion(query) : consistency(query);
    }
    if (name === '' || name.charAt(name.length - 1) === '/') {
        name += 'index.html';
    }
    if (name.length > NAME_MAX || !name.split('/').every(isPart)) {
        return { problem: 'not-found', detail: `there is nothing at ${shown(path)}` };
    }
    return { name: name };
}

function isPart(part) {
    return part.length <= PART_MAX && !NOT_PART.test(part) && NOT_DOT.test(part);
}

function inclusion(query) {
    const found = parameters(query, ['leaf_hash']);
    if (found.problem) {
        return found;
    }
    const hash = found.values.leaf_hash;
    if (!isHash(hash)) {
        return malformed(`leaf_hash: ${shown(hash)} is not 32 bytes in unpadded base64url`);
    }
    return { name: `${INCLUSION}/${hash}.json` };
}

function consistency(query) {
    const found = parameters(query, ['from_size', 'to_size']);
    if (found.problem) {
        return found;
    }
    const from = found.values.from_size;
    const to = found.values.to_size;
    const wrong = [from, to].filter((size) => !isDecimal(size));
    if (wrong.length > 0) {
        return malformed(`${shown(wrong[0])} is not a decimal integer from 0 to ${MAX_INTEGER}`);
    }
    if (Number(from) > Number(to)) {
        return malformed(`from_size ${from} is larger than to_size ${to}`);
    }
    return { name: `${CONSISTENCY}/${from}-${to}.json` };
}

function isHash(text) {
    return text.length === HASH_LENGTH && !NOT_BASE64URL.test(text) && HASH_LAST.indexOf(text.charAt(42)) >= 0;
}

function isDecimal(text) {
    if (text === '' || text.length > INTEGER_LENGTH || NOT_DIGIT.test(text)) {
        return false;
    }
    return (text === '0' || text.charAt(0) !== '0') && Number(text) <= MAX_INTEGER;
}

// Exactly the wanted parameters, each once and with a value, in either order.
function parameters(query, wanted) {
    const values = Object.create(null);
    const parts = query === '' ? [] : query.split('&');
    for (let i = 0; i < parts.length; i++) {
        const cut = parts[i].indexOf('=');
        const name = cut < 0 ? parts[i] : parts[i].slice(0, cut);
        if (cut < 0 || values[name] !== undefined || wanted.indexOf(name) < 0) {
            const names = wanted.join(' and ');
            return malformed(`parameter ${shown(name)} is unknown, repeated or has no value; wanted ${names}`);
        }
        values[name] = parts[i].slice(cut + 1);
    }
    const missing = wanted.filter((name) => values[name] === undefined);
    if (missing.length > 0) {
        return malformed(`parameter ${missing.join(', ')} is missing`);
    }
    return { values: values };
}

function malformed(detail) {
    return { problem: 'malformed-request', detail: detail };
}

// RFC 9457. The members stand in the order of RFC 8785: the document's bytes are canonical.
function refuse(event, code, detail) {
    const problem = PROBLEMS[code];
    const answer = {
        statusCode: problem.status,
        statusDescription: problem.phrase,
        headers: common(),
    };
    answer.headers['content-type'] = { value: 'application/problem+json' };
    answer.headers['cache-control'] = { value: 'public, max-age=5' };
    if (code === 'method-not-allowed') {
        answer.headers.allow = { value: METHODS };
    }
    if (event.request.method !== 'HEAD') {
        const document = {
            code: code,
            detail: detail,
            errors: [],
            request_id: event.context.requestId,
            status: problem.status,
            title: problem.title,
            type: `https://program.attestlayer.com/problems/${code}`,
        };
        answer.body = { encoding: 'text', data: JSON.stringify(document) };
    }
    return answer;
}

function preflight() {
    const headers = common();
    headers['access-control-allow-methods'] = { value: METHODS };
    headers['access-control-allow-headers'] = { value: '*' };
    headers['access-control-max-age'] = { value: '86400' };
    headers.allow = { value: METHODS };
    return { statusCode: 204, statusDescription: 'No Content', headers: headers };
}

function common() {
    return {
        'access-control-allow-origin': { value: '*' },
        'x-content-type-options': { value: 'nosniff' },
    };
}

// A value as messages show it: quoted, escaped as Python's ascii() does, cut short.
function shown(text) {
    let count = 0;
    let end = text.length;
    for (let i = 0; i < text.length; i++) {
        if (count === SHOWN_MAX) {
            end = i;
        }
        count += 1;
        i += text.codePointAt(i) > 0xffff ? 1 : 0;
    }
    return count <= SHOWN_MAX ? ascii(text) : `${ascii(text.slice(0, end))}… (${count} characters)`;
}

function ascii(text) {
    const quote = text.indexOf("'") >= 0 && text.indexOf('"') < 0 ? '"' : "'";
    let quoted = quote;
    for (let i = 0; i < text.length; i++) {
        const code = text.codePointAt(i);
        quoted += code === quote.charCodeAt(0) ? `\\${quote}` : escaped(code);
        i += code > 0xffff ? 1 : 0;
    }
    return quoted + quote;
}

function escaped(code) {
    const short = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };
    if (short[code]) {
        return short[code];
    }
    if (code >= 0x20 && code < 0x7f) {
        return String.fromCharCode(code);
    }
    const hex = code.toString(16);
    if (code <= 0xff) {
        return `\\x${hex.padStart(2, '0')}`;
    }
    return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
