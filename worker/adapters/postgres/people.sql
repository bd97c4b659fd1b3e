-- name: people
-- Each person asked for, and whoever reaches them through delegates, nearest first. A delegation over more than ten
-- people is nobody's intention. Whether somebody is away is not judged here. `offset 0` keeps each lookup a lookup:
-- the planner takes a few people for a crowd, and would read the whole register instead.
with recursive reached (asked, key, distance) as (
    select key, key, 0 from unnest(%(keys)s::text[]) as key
    union
    select reached.asked, handing_over.key, reached.distance + 1
    from reached
    cross join lateral (select key from reviewers where delegate = reached.key offset 0) as handing_over
    where reached.distance < 10
)
select nearest.asked, nearest.key, person.body
from (select asked, key, min(distance) as distance from reached group by asked, key) as nearest
cross join lateral (select body::text as body from reviewers where key = nearest.key offset 0) as person
order by nearest.asked, nearest.distance, nearest.key collate "C"
