-- name: orders
select order_id as key, body::text as body from orders where order_id = any(%(keys)s::text[])

-- name: customers
select customer_id as key, body::text as body from customers where customer_id = any(%(keys)s::text[])

-- name: store_orders
insert into orders (order_id, body)
select order_id, body from json_populate_recordset(null::orders, %(rows)s::json)
on conflict (order_id) do update set body = excluded.body

-- name: store_customers
insert into customers (customer_id, body)
select customer_id, body from json_populate_recordset(null::customers, %(rows)s::json)
on conflict (customer_id) do update set body = excluded.body
