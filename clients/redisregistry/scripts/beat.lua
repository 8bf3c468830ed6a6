-- Notes that a node lives. KEYS[1]: yan_websocket_server. ARGV: address, id, incarnation, connections, whether it drains
-- (1, 0), after how many ms without a beat a node is dead, the last beat that this incarnation knows of, the key's
-- lifetime in ms. Returns {1 if it joins, 0 if it was known; when it joined; this beat}, or {id, address} of who holds
-- its name.
local now, ttl, mine = now(), tonumber(ARGV[6]), nil
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  local node, here = decodeNode(entries[i + 1]), entries[i] == ARGV[1]
  if node then
    if node.incarnation ~= ARGV[3] and (here or node.id == ARGV[2]) and lives(node, now, ttl) then
      return {node.id, entries[i]}
    end
    if here then
      mine = node
    end
  end
end

-- An entry older than what this incarnation knows was restored from a copy, and the routes with it.
local known = mine and mine.incarnation == ARGV[3] and not mine.gone and mine.beat >= tonumber(ARGV[7])
local joined = known and mine.joined or math.max(now, mine and mine.joined + 1 or 0)
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({
  id = ARGV[2],
  incarnation = ARGV[3],
  beat = now,
  connections = tonumber(ARGV[4]),
  draining = ARGV[5] == '1',
  joined = joined,
  -- Routes of former lives at this address, which nobody else knows of, wait to be reaped.
  heir = not known or mine.heir or false,
}))
redis.call('PEXPIRE', KEYS[1], ARGV[8])
return {known and 0 or 1, joined, now}
