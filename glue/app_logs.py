# ==================================================================================================
# GENERATED from notebooks/jobs/app_logs.ipynb by `gluebook export`.
# Do not edit: change the notebook and export it again. CI fails when the two differ.
# ==================================================================================================
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions

from gluebook.notebook.parameters import job_arguments
from gluebook.runtime import spark_session

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

from gluebook.job import BatchRun
from gluebook.transforms import reading, verbs
from gluebook.transforms.mongod import MONGOD, SCHEMA

run = BatchRun.start(
    dataset=dataset,
    ledger_table=ledger_table,
    lake_bucket=lake_bucket,
    pseudonym_secret=pseudonym_secret,
    max_batch_mb=max_batch_mb,
    lease_seconds=lease_seconds,
)
records = run.records(MONGOD.name)

# --- Identity -------------------------------------------------------------------------------------

identified = verbs.fingerprint(records, ("_raw",), name="log_id")

# --- Schema change --------------------------------------------------------------------------------

raw = reading.read_json_columns(identified, MONGOD, SCHEMA)

# --- Null handling --------------------------------------------------------------------------------

cleaned = verbs.blank_to_null(raw, MONGOD)

# --- Personal data --------------------------------------------------------------------------------

masked = verbs.pseudonymise(cleaned, MONGOD, run.pseudonym_key)

# --- Renaming -------------------------------------------------------------------------------------

renamed = verbs.rename_columns(masked, MONGOD)

# --- Type normalisation ---------------------------------------------------------------------------

typed = verbs.normalise_types(renamed, MONGOD)

# --- A step in SQL --------------------------------------------------------------------------------

enriched = run.spark.sql(
    """
    select *,
           'mongod' as service,
           level in ('error', 'fatal') as is_error,
           try_cast(get_json_object(attributes, '$.durationMillis') as bigint) as duration_ms
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
