-- What a request was given beyond its body (a nonce, gas and fees from the network's node), and the id its transaction will have on chain,
-- which is shown when it is seen there.
alter table signature_requests add column details json;
alter table signature_requests add column expected_tx_hash text;
