// As infra/cdn/engine.mjs, for njs: appended to the function's source, whose runtime is a near relative of it.
require('fs').readFileSync('/dev/stdin', 'utf8').split('\n').filter((line) => line !== '').forEach((line) => {
    const event = JSON.parse(line);
    const raw = event.rawQuery;
    delete event.rawQuery;
    event.request.rawQueryString = () => (raw === null ? undefined : raw);
    console.log(JSON.stringify(handler(event)));
});
