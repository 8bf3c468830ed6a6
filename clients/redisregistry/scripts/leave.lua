-- Marks a node as gone. KEYS[1]: yan_websocket_server. ARGV: address, incarnation. Returns when it joined, or nil if it
-- is not there.
local node = decodeNode(redis.call('HGET', KEYS[1], ARGV[1]))
if not node or node.incarnation ~= ARGV[2] then
  return nil
end
node.gone = true
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(node))
return node.joined
