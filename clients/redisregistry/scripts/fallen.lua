-- Marks dead nodes as gone, so that they join anew if they come back, and tells where routes wait to be reaped.
-- KEYS[1]: yan_websocket_server. ARGV: after how many ms without a beat a node is dead. Returns address, incarnation,
-- when it joined, 1 if it is gone, 0 if only former lives are, and the id, of each.
local now, ttl, fallen = now(), tonumber(ARGV[1]), {}
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  local node = decodeNode(entries[i + 1])
  if node then
    if not node.gone and not lives(node, now, ttl) then
      node.gone = true
      redis.call('HSET', KEYS[1], entries[i], cjson.encode(node))
    end
    if node.gone or node.heir then
      fallen[#fallen + 1] = {entries[i], node.incarnation, node.joined, node.gone and 1 or 0, node.id}
    end
  end
end
return fallen
