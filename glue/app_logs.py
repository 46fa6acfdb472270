# ==================================================================================================
# GENERATED from notebooks/jobs/app_logs.ipynb by `gluebook export`.
# Do not edit: change the notebook and export it again. CI fails when the two differ.
# ==================================================================================================
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions

from gluebook.notebook.parameters import job_arguments
from gluebook.job.runtime import spark_session

_arguments = job_arguments(
    sys.argv,
    getResolvedOptions,
    dataset="app_logs",
    ledger_table="",
    lake_bucket="",
    pseudonym_secret="",
    max_batch_mb=4096,
    lease_seconds=600,
)
dataset = _arguments["dataset"]
ledger_table = _arguments["ledger_table"]
lake_bucket = _arguments["lake_bucket"]
pseudonym_secret = _arguments["pseudonym_secret"]
max_batch_mb = _arguments["max_batch_mb"]
lease_seconds = _arguments["lease_seconds"]

_options = getResolvedOptions(sys.argv, ["JOB_NAME"])
_job = Job(GlueContext(spark_session(_options["JOB_NAME"]).sparkContext))
_job.init(_options["JOB_NAME"], _options)

# --- Claim what is pending ------------------------------------------------------------------------

from gluebook.job.run import BatchRun
from gluebook.sources.app_logs.containers import CONTAINERS
from gluebook.sources.app_logs.mongod import MONGOD, SCHEMA
from gluebook.transforms import reading, tokens, verbs
from gluebook.transforms.containers import unwrap

run = BatchRun.start(
    dataset=dataset,
    ledger_table=ledger_table,
    lake_bucket=lake_bucket,
    pseudonym_secret=pseudonym_secret,
    max_batch_mb=max_batch_mb,
    lease_seconds=lease_seconds,
)
mongod_records = run.records(MONGOD.name)
container_records = run.records(CONTAINERS.name)

# --- Identity -------------------------------------------------------------------------------------

mongod_identified = verbs.fingerprint(mongod_records, ("_raw",), name="log_id")
container_identified = verbs.fingerprint(container_records, ("_raw",), name="log_id")

# --- Schema change --------------------------------------------------------------------------------

mongod_raw = reading.read_json_columns(mongod_identified, MONGOD, SCHEMA)
container_csv = reading.read_csv_columns(container_identified, CONTAINERS, run.headers(CONTAINERS.name))
container_raw = unwrap(container_csv)

# --- Null handling --------------------------------------------------------------------------------

mongod_cleaned = verbs.blank_to_null(mongod_raw, MONGOD)
container_cleaned = verbs.blank_to_null(container_raw, CONTAINERS)

# --- Personal data --------------------------------------------------------------------------------

mongod_masked = tokens.mask_tokens(verbs.pseudonymise(mongod_cleaned, MONGOD, run.pseudonym_key), MONGOD)
container_masked = tokens.mask_tokens(
    verbs.pseudonymise(container_cleaned, CONTAINERS, run.pseudonym_key), CONTAINERS
)

# --- Renaming -------------------------------------------------------------------------------------

mongod_renamed = verbs.rename_columns(mongod_masked, MONGOD)
container_renamed = verbs.rename_columns(container_masked, CONTAINERS)

# --- Type normalisation ---------------------------------------------------------------------------

mongod_typed = verbs.normalise_types(mongod_renamed, MONGOD)
container_typed = verbs.normalise_types(container_renamed, CONTAINERS)
typed = mongod_typed.unionByName(container_typed, allowMissingColumns=True)

# --- A step in SQL --------------------------------------------------------------------------------

enriched = run.spark.sql(
    """
    select *,
           coalesce(workload, source) as service,
           level in ('error', 'fatal') as is_error,
           try_cast(coalesce(
               get_json_object(attributes, '$.durationMillis'),
               get_json_object(attributes, "$['http.resp.took_ms']")
           ) as bigint) as duration_ms
    from {typed}
    """,
    typed=typed,
)

# --- Filtering invalid records --------------------------------------------------------------------

valid, rejects = verbs.split_rejects(run.keep(enriched))

# --- Deduplication --------------------------------------------------------------------------------

kept = verbs.mark_copies(valid, run.contract.key)

# --- Write, count, pass the gate, publish ---------------------------------------------------------

summary = run.finish(kept, rejects)
print(summary)

_job.commit()
