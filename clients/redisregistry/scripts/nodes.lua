-- Returns address and entry of each living node. KEYS[1]: yan_websocket_server. ARGV: after how many ms without a beat a
-- node is dead.
local now, ttl, living = now(), tonumber(ARGV[1]), {}
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  local node = decodeNode(entries[i + 1])
  if node and lives(node, now, ttl) then
    living[#living + 1] = entries[i]
    living[#living + 1] = entries[i + 1]
  end
end
return living
