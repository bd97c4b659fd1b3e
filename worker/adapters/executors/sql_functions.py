"""Functions of PostgreSQL that only compute: they change nothing, wait for nothing, and read no table, file or setting.

What is missing here and is harmless in somebody's database is named in the configuration.
"""

LANGUAGE = frozenset(
    [
        *("all", "array", "coalesce", "exists", "greatest", "grouping", "least", "nullif", "row", "some"),
        *("current_time", "current_timestamp", "localtime", "localtimestamp"),
    ]
)
"""Words of the grammar that look like calls, and are none: in quotes they would be names of functions."""

_TEXT = """
    ascii bit_count bit_length btrim char_length character_length chr concat concat_ws convert_from convert_to
    decode encode format format_type get_bit get_byte initcap left length lower lpad ltrim md5 normalize
    octet_length overlay parse_ident position quote_ident quote_literal quote_nullable regexp_count regexp_instr
    regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr
    repeat replace reverse right rpad rtrim set_byte sha224 sha256 sha384 sha512 similarity split_part starts_with
    string_agg string_to_array string_to_table strpos substr substring text to_ascii to_bin to_hex to_oct translate
    unaccent unistr upper word_similarity
"""
_NUMBERS = """
    abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot cotd
    degrees div erf erfc exp factorial floor gcd lcm ln log log10 min_scale mod numeric_inc pi pow power radians
    random random_normal round scale sign sin sind sinh sqrt tan tand tanh trim_scale trunc width_bucket
"""
_TIME = """
    age clock_timestamp date_add date date_bin date_part date_subtract date_trunc extract isfinite justify_days
    justify_hours justify_interval make_date make_interval make_time make_timestamp make_timestamptz now overlaps
    statement_timestamp timeofday timezone to_char to_date to_number to_timestamp transaction_timestamp
"""
_JSON = """
    array_to_json json_agg json_array json_array_elements json_array_elements_text json_array_length json_arrayagg
    json_build_array json_build_object json_each json_each_text json_exists json_extract_path json_extract_path_text
    json_object json_object_agg json_object_keys json_objectagg json_populate_record json_populate_recordset
    json_query json_scalar json_serialize json_strip_nulls json_to_record json_to_recordset json_typeof json_value
    jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
    jsonb_contains jsonb_each jsonb_each_text jsonb_exists jsonb_extract_path jsonb_extract_path_text jsonb_insert
    jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query
    jsonb_path_query_array jsonb_path_query_first jsonb_populate_record jsonb_populate_recordset jsonb_pretty
    jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json to_json
    to_jsonb
"""
_ARRAYS_AND_RANGES = """
    any_value array_agg array_append array_cat array_dims array_fill array_length array_lower array_ndims
    array_position array_positions array_prepend array_remove array_replace array_reverse array_sample array_shuffle
    array_sort array_to_string array_upper cardinality daterange int4multirange int4range int8multirange int8range
    isempty lower_inc lower_inf multirange nummultirange numrange range_agg range_intersect_agg range_merge
    trim_array tsrange tstzrange unnest upper_inc upper_inf
"""
_SESSION = """
    current_database current_schema current_schemas current_user session_user version
"""
_AGGREGATES_AND_WINDOWS = """
    avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp cume_dist dense_rank every
    first_value generate_series generate_subscripts grouping lag last_value lead max min mode nth_value ntile
    num_nonnulls num_nulls percent_rank percentile_cont percentile_disc rank regr_avgx regr_avgy regr_count
    regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row row_number stddev stddev_pop stddev_samp sum
    var_pop var_samp variance
"""
_SEARCH_AND_NETWORK = """
    abbrev array_to_tsvector broadcast family gen_random_uuid host hostmask inet_merge inet_same_family
    macaddr8_set7bit masklen netmask network numnode phraseto_tsquery plainto_tsquery querytree set_masklen
    setweight strip to_tsquery to_tsvector ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsquery_phrase
    tsvector_to_array uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 websearch_to_tsquery
"""

_ALL = (_TEXT, _NUMBERS, _SESSION, _TIME, _JSON, _ARRAYS_AND_RANGES, _AGGREGATES_AND_WINDOWS, _SEARCH_AND_NETWORK)

HARMLESS = frozenset(" ".join(_ALL).split())
