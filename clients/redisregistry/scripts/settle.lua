-- Notes that the routes of a node's former lives are removed: takes it out if it is gone. KEYS[1]: yan_websocket_server.
-- ARGV: address, incarnation, when it joined, 1 if it is gone. Returns 0 if the node has come back meanwhile, else 1.
local value = redis.call('HGET', KEYS[1], ARGV[1])
local node = decodeNode(value)
if not node then
  return 1
end
if node.incarnation ~= ARGV[2] or node.joined ~= tonumber(ARGV[3]) or (node.gone and '1' or '0') ~= ARGV[4] then
  return 0
end
if node.gone then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  node.heir = false
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(node))
end
return 1
